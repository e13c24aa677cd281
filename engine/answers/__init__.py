"""What decoders answer: taken in, shown as cursors, held within bounds, and scored."""
