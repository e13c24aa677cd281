"""The Explore page: a whole recording around its trials' events, by target, by unit."""

from dashboard.explore.page import explore_application

__all__ = ["explore_application"]
