"""What every policy in Python shares: errors, the log, and the operator's settings.

The modules beside this one are the interfaces of the contract, which documents every function, field and unit. A policy
imports those that its wit/world.wit declares: `from stead import package, sysctl`.
"""

from ._errors import Denied, Error, Invalid
from ._jobs import Failure

__all__ = ["Denied", "Error", "Failure", "Invalid"]
