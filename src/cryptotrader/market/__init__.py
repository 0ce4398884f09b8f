"""Order books, trade tapes, candles and rolling statistics, folded from market events.

Pure: every fold is given its events and times; nothing in here does I/O or reads a clock.
"""
