"""What was promised before it was measured: figure, comparison, bound. Bars stay when they are missed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bar:
    """One promise. sign: "≥", "≤" or "=" against `bound`, in the figure's own unit."""

    name: str
    sign: str
    bound: float
    words: str

    def verdict(self, results: Mapping[str, Mapping[str, object]]) -> str:
        """met, MISSED or not measured."""
        if self.name not in results:
            return "not measured"
        value = float(str(results[self.name]["value"]))
        met = {"≥": value >= self.bound, "≤": value <= self.bound, "=": value == self.bound}[self.sign]
        return "met" if met else "**missed**"


BARS = (
    Bar("ekf_numpy_vs_filterpy_10k", "≥", 200, "filter in numpy against a filterpy loop, 10,000 devices"),
    Bar("ekf_compiled_vs_filterpy_10k", "≥", 500, "the compiled filter against the same loop"),
    Bar("cusum_vs_river_10k", "≥", 50, "EMA and CUSUM against river"),
    Bar("rul_vs_statsmodels_10k", "≥", 1000, "remaining life of a straight trend against statsmodels"),
    Bar("rul_diffusing_vs_statsmodels_10k", "≥", 1000, "the same with a diffusing level"),
    Bar("fleet_numpy_flatness", "≤", 1.3, "cost per device-step, dearest over cheapest size from 10,000 on"),
    Bar("fleet_compiled_flatness", "≤", 1.3, "the same, compiled"),
    Bar(
        "fleet_numpy_devices_a_core_at_one_a_minute",
        "≥",
        1,
        "filter and detectors: a million devices on one core",
    ),
    Bar("block_devices_a_core_at_one_a_minute", "≥", 1e6, "the whole Block: a million devices on one core"),
    Bar("block_apply_us_per_reading_batch_200", "≤", 100, "a reading through the whole Block, in batches"),
    Bar("fleet_state_bytes_per_device", "≤", 1000, "filter and detectors of one device"),
    Bar("block_state_bytes_per_device", "≤", 1000, "everything the Block keeps of one device"),
    Bar("faults_slow_detected", "=", 1, "slow faults found before the degradation has grown 30 %"),
    Bar("faults_false_alarms_per_device_day", "≤", 0.1, "detector alarms on healthy machines"),
    Bar("rul_coverage_90", "≥", 0.85, "90 % interval of remaining life, not too narrow"),
    Bar("rul_coverage_90", "≤", 0.95, "90 % interval of remaining life, not too wide"),
    Bar("healthy_health_min", "≥", 95, "health of healthy machines"),
    Bar("health_kendall_tau", "≤", -0.95, "true damage against hourly median health, Kendall τ"),
    Bar("cases_per_episode", "≤", 1.1, "notified cases per true episode"),
    Bar("cases_right_cause", "≥", 0.9, "cases that name the right cause"),
    Bar("cases_false_per_device_day", "≤", 0.02, "notified false cases"),
    Bar("alerts_escalations_lost", "=", 0, "warnings that became critical and were not raised again"),
    Bar("skab_f1", "≥", 0.80, "SKAB, standard protocol"),
    Bar("skab_far", "≤", 0.15, "SKAB, false alarms"),
    Bar("firestore_writes_per_device_day_standard_20", "≤", 1500, "20 devices behind one gateway, standard"),
    Bar("firestore_writes_per_device_day_standard_200", "≤", 850, "200 devices behind ten, standard"),
    Bar("firestore_writes_per_device_day_live_200", "≤", 1700, "200 devices behind ten, live"),
    Bar("firestore_writes_per_day_free_5", "≤", 20_000, "five devices inside the free quota, writes"),
    Bar("firestore_reads_per_day_free_5", "≤", 50_000, "five devices inside the free quota, reads"),
    Bar("firestore_reads_per_hour_1_viewer", "≤", 1300, "a viewing process with one viewer"),
    Bar("firestore_reads_per_hour_25_viewers", "≤", 1300, "a viewing process with 25"),
    Bar("firestore_reads_device_page_24h", "≤", 30, "the device page over 24 h"),
    Bar("firestore_reads_business_90d", "≤", 500, "the business page over 90 days and 1,000 devices"),
    Bar("chaos_readings_lost", "=", 0, "readings lost while everything is killed and cut off"),
    Bar("chaos_readings_doubled", "=", 0, "readings counted twice meanwhile"),
)
