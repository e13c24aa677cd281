"""The page of runs: what decoders have scored, over days and beside each other."""
