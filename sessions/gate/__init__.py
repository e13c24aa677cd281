"""The gate before both ports: who may come in, how often, and with how much."""

from sessions.gate.admission import Admission
from sessions.gate.audit import Audit
from sessions.gate.gate import MAX_BODY, Gate
from sessions.gate.hosts import Hosts
from sessions.gate.origins import Origins
from sessions.gate.rate import Rate
from sessions.gate.rules import Rules
from sessions.gate.token import Token

__all__ = ["MAX_BODY", "Admission", "Audit", "Gate", "Hosts", "Origins", "Rate", "Rules", "Token"]
