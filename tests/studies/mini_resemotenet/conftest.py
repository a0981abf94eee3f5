"""The fabricated project that tests of tables share."""

from tests.table_project import project, raw_with_pets, table_template, without_raf_db

__all__ = ["project", "raw_with_pets", "table_template", "without_raf_db"]
