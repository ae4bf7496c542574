"""TMF620: catalogs, categories and specifications, as records of whoever made them.

Import and export jobs are noted and not run: a node's catalogue is loaded by its operator.
"""

from __future__ import annotations

from hansa.federation.tmf.engine.kept import kept
from hansa.federation.tmf.engine.model import NOW, Api, Resource
from hansa.federation.tmf.resources.tables import common, tmf620

STARTED = {"lifecycleStatus": "In study", "lastUpdate": NOW}
UPDATED = ("lastUpdate",)
JOB_EVENTS: tuple[str, ...] = ()

API = Api(
    number=620,
    title="Product Catalog Management",
    base="/tmf-api/productCatalogManagement/v4",
    attributes=(common.TABLE, tmf620.TABLE),
    resources=(
        Resource(
            path="catalog",
            type="Catalog",
            source=kept(),
            mandatory=("name",),
            stamps=STARTED,
            touched=UPDATED,
        ),
        Resource(
            path="category",
            type="Category",
            source=kept(),
            mandatory=("name",),
            stamps={**STARTED, "isRoot": True},
            touched=UPDATED,
        ),
        Resource(
            path="productSpecification",
            type="ProductSpecification",
            source=kept(),
            mandatory=("name",),
            stamps={**STARTED, "isBundle": False},
            touched=UPDATED,
        ),
        Resource(
            path="importJob",
            type="ImportJob",
            source=kept(without=("change",)),
            mandatory=("url",),
            stamps={"status": "Not Started", "creationDate": NOW},
            events=JOB_EVENTS,
        ),
        Resource(
            path="exportJob",
            type="ExportJob",
            source=kept(without=("change",)),
            mandatory=("url",),
            stamps={"status": "Not Started", "creationDate": NOW},
            events=JOB_EVENTS,
        ),
    ),
)
