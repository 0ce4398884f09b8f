"""Stop loss, take profit and trailing stop of a position: watched for, carried out once, reported (C-27)."""
