"""The views of an item."""

VIEWS = {"result": "Result", "evidence": "Evidence", "runbook": "What to do", "history": "History"}
"""What can be looked at, by the numbers 1 to 4. A large screen shows the result beside any other."""
