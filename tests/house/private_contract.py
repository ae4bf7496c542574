"""A contract type for import-linter: what a room keeps to itself.

`protected`, which comes with it, cannot say "only from within the same package".
"""

from __future__ import annotations

import grimp
from importlinter import Contract, ContractCheck, fields, output


class PrivateContract(Contract):
    """Modules of these names are imported only from within the package that holds them.

    private: the last parts of module names, e.g. `store`. What lies in a folder of such a
    name is private as well.
    """

    type_name = "private"

    private = fields.ListField(subfield=fields.StringField())

    def check(self, graph: grimp.ImportGraph, verbose: bool) -> ContractCheck:  # noqa: ARG002
        names = {str(name) for name in self.private}  # type: ignore[attr-defined]
        breaches = []
        for module in sorted(graph.modules):
            parts = module.split(".")
            depth = next((i for i, part in enumerate(parts) if part in names), None)
            if parts[0] != "hansa" or depth is None:
                continue
            owner = ".".join(parts[:depth])
            breaches += [
                (importer, module)
                for importer in sorted(graph.find_modules_that_directly_import(module))
                if not importer.startswith(f"{owner}.")
            ]
        return ContractCheck(kept=not breaches, metadata={"breaches": breaches})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for importer, module in check.metadata["breaches"]:
            output.print_error(f"{importer} imports {module}, which is private to its room.")
