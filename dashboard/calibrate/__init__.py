"""The page that fits decoders, and tests them on trials that they have never seen."""
