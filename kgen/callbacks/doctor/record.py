"""What the doctor knows of a training: symptoms, how long they have lasted, what was said."""

import copy
import dataclasses

from kgen.callbacks.doctor.diagnosis import Diagnosis
from kgen.callbacks.doctor.signals import CHECKS, EXPLAINED_BY, SIGNALS


class Record:
    """The memory of one training.

    Args:
        patience: Checks in a row that a symptom has to last.
        first_round: Rounds played when training began.

    Attributes:
        diagnoses: List of `Diagnosis`.
        measured: Dict from signal's name to the latest number.
        memory: Dict from signal's name to what its check remembers.
        first_round: As given.
    """

    def __init__(self, patience, first_round):
        self.patience = patience
        self.first_round = first_round
        self.diagnoses, self.measured = [], {}
        self.memory = {name: {"patience": patience} for name in CHECKS}
        self._lasted = dict.fromkeys(SIGNALS, 0)  # Checks in a row; negative ones are without.
        self._said = []  # Signals found that still last.

    def has_symptoms(self, signals):
        """Whether the latest check has shown a symptom of one of the signals."""
        return any(self._lasted[name] > 0 for name in signals)

    def note_all(self, readings, round):
        """Notes the readings of a check, by signal; what another explains counts as absent."""
        for name, reading in readings.items():
            cause = readings.get(EXPLAINED_BY.get(name))
            self.note(name, None if cause and cause.present else reading, round)

    def note(self, name, reading, round):
        """Notes a `Reading` of a signal, or its absence, which becomes a diagnosis if it lasts."""
        if reading is not None:
            self.measured[name] = reading.measured
        lasted = self._lasted[name]
        if reading is None or not reading.present:
            self._lasted[name] = min(lasted, 0) - 1
            if self._lasted[name] <= -self.patience:  # As long as it takes to be found.
                self._said = [said for said in self._said if said != name]
            return
        self._lasted[name] = max(lasted, 0) + 1
        lasting = reading.urgent or self._lasted[name] >= self.patience
        if lasting and name not in self._said:
            self._said.append(name)
            message = f"Round {round}: {reading.problem} {reading.advice}"
            found = Diagnosis(name, round, reading.measured, reading.threshold, message)
            self.diagnoses.append(found)

    def forget(self, name):
        """Has a signal's check begin anew."""
        self.memory[name] = {"patience": self.patience}

    def go_back(self, memory):
        """Forgets the symptoms, but not the diagnoses, and remembers what it did then."""
        self.memory = copy.deepcopy(memory)
        self._lasted, self._said = dict.fromkeys(SIGNALS, 0), []

    def get_state(self):
        """Returns all of it as plain data."""
        state = copy.deepcopy(vars(self))
        state["diagnoses"] = [list(dataclasses.astuple(one)) for one in self.diagnoses]
        return state

    def set_state(self, state):
        """Undoes `get_state`."""
        vars(self).update(copy.deepcopy(state))
        self.diagnoses = [Diagnosis(*fields) for fields in state["diagnoses"]]
