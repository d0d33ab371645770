"""The domain of an address, asked within a statement."""

from typing import Any

from sqlalchemy import String
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement


class domain_of(FunctionElement[str]):
    """SQL: what stands behind the @ of an address."""

    type = String()
    inherit_cache = True


@compiles(domain_of, "postgresql")
def _domain_on_postgresql(element: Any, compiler: Any, **kw: Any) -> str:
    email = compiler.process(element.clauses, **kw)
    return f"substr({email}, strpos({email}, '@') + 1)"


@compiles(domain_of, "sqlite")
def _domain_on_sqlite(element: Any, compiler: Any, **kw: Any) -> str:
    email = compiler.process(element.clauses, **kw)
    return f"substr({email}, instr({email}, '@') + 1)"
