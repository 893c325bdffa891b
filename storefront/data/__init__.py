"""The embedded real history: UCI Online Retail, 541,909 invoice lines of a British gift shop.

In: nothing. Out: the path of a Parquet file that travels inside the package.
Run standalone: `python -c "from storefront.data import *; print(embedded_history())"`.
"""

from pathlib import Path

from lakehouse.errors import LakeError

ATTRIBUTION = (
    "Online Retail, Daqing Chen, UCI Machine Learning Repository, CC BY 4.0; "
    "changes: CustomerID written without decimals, Parquet copy typed."
)
"""Must stay with the data wherever it is shown or passed on."""


def embedded_history() -> Path:
    """Parquet file of the real history, 2.9 MB, in the original order of its rows.

    Raises:
        LakeError: This project has none.
    """
    path = Path(__file__).resolve().parent / "online_retail.parquet"
    if not path.is_file():
        raise LakeError("This project embeds no history: give an extract with `--file F`.")
    return path
