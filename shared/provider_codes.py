"""Every code of a provider that has a row, by provider, for whoever looks one up; codes as they are shown."""

from collections.abc import Mapping

from shared.domain.provider_errors import ErrorRow
from shared.providers.cm import errors as cm
from shared.providers.meta import errors as meta
from shared.providers.meta import templates as meta_templates


def provider_codes() -> Mapping[str, Mapping[str, ErrorRow]]:
    """CM.com's two code spaces are one here: no code stands in both."""
    return {
        "Meta": meta.TABLE.rows,
        "Meta's templates": meta_templates.TABLE.rows,
        "CM.com": {code.rpartition(".")[2]: row for code, row in cm.TABLE.rows.items()},
    }
