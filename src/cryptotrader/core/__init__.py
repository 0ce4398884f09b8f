"""The words that every other package speaks: exact numbers, symbols, events, orders, errors, limits, the clock port.

Pure: nothing in here does I/O, reads a clock or draws a random number.
"""
