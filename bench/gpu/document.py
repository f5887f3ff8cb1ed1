"""The tables in docs/performance.md, between two comments."""

BEGIN = "<!-- written by `make bench-gpu` -->"
END = "<!-- end of what `make bench-gpu` writes -->"


def replace_tables(document: str, tables: str) -> str:
    """The document with these tables in place of those between the comments.

    Raises:
        ValueError: the document does not have each comment once, in this order.
    """
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in rest or END in after:
        raise ValueError(f"the document must have {BEGIN} once, and {END} once after it")
    return f"{before}{BEGIN}\n\n{tables.strip()}\n\n{END}{after}"
