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


class EmtMdTask(VolleyTask):
    """Moves a structure as time goes by with EMT."""

    _fw_name = "EmtMdTask"


class EmtBulkToSlabsTask(VolleyTask):
    """Relaxes every slab of a bulk crystal with EMT."""

    _fw_name = "EmtBulkToSlabsTask"


class EmtBulkToDefectsTask(VolleyTask):
    """Relaxes the vacancies of a bulk crystal with EMT."""

    _fw_name = "EmtBulkToDefectsTask"


class EmtElasticTensorTask(VolleyTask):
    """Deforms a crystal in many ways to find its elastic constants with EMT."""

    _fw_name = "EmtElasticTensorTask"


class EmtElasticFitTask(VolleyTask):
    """Fits elastic constants to the stresses of deformed crystals."""

    _fw_name = "EmtElasticFitTask"


class EmtPhononTask(VolleyTask):
    """Computes phonons and thermal properties with EMT."""

    _fw_name = "EmtPhononTask"


class CollectResultsTask(VolleyTask):
    """Makes one table of what the recipes above it found."""

    _fw_name = "CollectResultsTask"
