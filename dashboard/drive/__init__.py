"""The page on which a person's hand steers a closed loop."""
