"""What the three services say to each other: frozen messages, the table of calls, the types of problems."""
