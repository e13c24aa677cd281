"""A simulated user, who steers with neurons fitted to a recording and sees what a decoder makes of them."""
