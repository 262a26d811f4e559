"""What a person sees of a search: passages with their places, on a terminal or as JSON."""
