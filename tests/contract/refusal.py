"""What a contract check raises."""


class ContractError(AssertionError):
    """An exchange that the vendor's specification does not allow."""
