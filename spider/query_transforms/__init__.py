"""Variants of the query transform: one class a file, each a spider.query_ranges.QueryTransform."""
