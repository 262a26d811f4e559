"""How much of a question its passages hold, and how little it is where nothing matches."""
