"""What is served is what `contracts/` says; else: `make docs`, and tell partners."""

from contracts import write


def test_served_documents_are_those_in_contracts() -> None:
    made = write.documents()
    assert made.keys() == {file.name for file in write.HERE.glob("*.json")}
    for name, text in made.items():
        assert (write.HERE / name).read_text() == text, name
