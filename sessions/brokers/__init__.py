"""A server's part in its brokers: which sessions there are, and the predictions for them."""
