"""Orders that wait for something: stops for a price, legs of a list for another leg."""
