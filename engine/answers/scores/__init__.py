"""How good decoders are: measures from mergeable sums, the same for a live session and for a record."""
