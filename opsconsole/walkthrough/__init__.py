"""The alert test: plan, steady state, closed loop, and the signal followed from hop to hop and back."""
