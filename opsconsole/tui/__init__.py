"""The screen: `opsconsole.tui.app.ConsoleApp`, the only room that knows Textual."""
