"""Who moves the market of the paper exchange: recordings, and a synthetic market that is made up from a seed."""
