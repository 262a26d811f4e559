"""Mining: from documents to recurring spans and held-out queries."""
