"""Question to answer: `ask` for one question, `open_assistant` for many."""

from assistant.answer import Answer, Citation, Claim, Warning
from assistant.assembly import Assistant, ask, open_assistant

__all__ = ["Answer", "Assistant", "Citation", "Claim", "Warning", "ask", "open_assistant"]
