"""The engine: discover checks, schedule a checklist's items side by side, perform each check."""
