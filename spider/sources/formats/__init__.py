"""Parts of data formats that sources of documents and of questions share."""
