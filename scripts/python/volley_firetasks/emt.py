"""The EMT recipes."""

from fireworks import FiretaskBase


class VolleyTask(FiretaskBase):
    """A task that only Volley's rlaunch runs."""

    def run_task(self, fw_spec):
        raise RuntimeError(f"{self._fw_name} is run by Volley's rlaunch, not by a Python worker")


class EmtRelaxTask(VolleyTask):
    """Relaxes a structure with EMT."""

    _fw_name = "EmtRelaxTask"


class EmtStaticTask(VolleyTask):
    """Computes energy, forces and stress of a structure with EMT."""

    _fw_name = "EmtStaticTask"


class EmtBulkToSlabsTask(VolleyTask):
    """Relaxes every slab of a bulk crystal with EMT."""

    _fw_name = "EmtBulkToSlabsTask"


class CollectResultsTask(VolleyTask):
    """Makes one table of what the recipes above it found."""

    _fw_name = "CollectResultsTask"
