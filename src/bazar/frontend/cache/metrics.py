"""What Prometheus is told of the cache: counted by the cache itself, read when somebody asks."""

from collections.abc import Iterable

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from bazar.frontend.cache.answers import Answers
from bazar.frontend.cache.middleware import Cache


class CacheMetrics(Collector):
    """Answers given from what is kept, those of them that were late, and the bytes that are kept."""

    def __init__(self, cache: Cache, answers: Answers) -> None:
        self._cache = cache
        self._answers = answers

    def collect(self) -> Iterable[CounterMetricFamily | GaugeMetricFamily]:
        """Read anew for each scrape."""
        yield CounterMetricFamily("bazar_cache_answers", "Answers given from the cache.", value=self._cache.given)
        late = "Answers given from the cache because the application could not."
        yield CounterMetricFamily("bazar_cache_late_answers", late, value=self._cache.given_late)
        yield GaugeMetricFamily("bazar_cache_bytes", "Bytes kept in the cache.", value=self._answers.size_bytes)
