"""The paper exchange's matching engine: commands and market events in, what happened out.

Pure: it does no I/O, reads no clock and draws no random number. The same inputs give the same outputs.
"""
