"""What happened: log lines and figures. Nothing here decides anything."""
