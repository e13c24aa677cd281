"""What a client can do to a replay: sessions, packets, REST, WebSocket, metrics."""
