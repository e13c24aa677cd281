"""What goes over WebSocket: packets to decoders, predictions from them, frames to pages."""
