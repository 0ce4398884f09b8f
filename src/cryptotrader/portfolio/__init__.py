"""What an account has made of its trades: positions, profit and loss, protections. Pure."""
