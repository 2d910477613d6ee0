"""What each act of an evil hook gets: lines "RESULT or RESULT: ACT ACT ...", continued by lines that begin with a space. A
result may end with "*"."""


def table(text: str) -> dict[str, list[str]]:
    """Act -> the results that it may have."""
    expected: dict[str, list[str]] = {}
    results: list[str] = []
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        if not line.startswith(" "):
            left, _, line = line.partition(":")
            results = left.split(" or ")
        for act in line.split():
            assert act not in expected, f"{act} is there twice"
            expected[act] = results
    return expected
