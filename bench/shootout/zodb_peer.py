"""ZODB on FileStorage, doing the tasks of the shootout.

Reads requests from stdin and answers each on stdout, one line of JSON for one line of JSON:

    {"do": "hello"}                                   -> {"versions": {...}}
    {"do": "enter", "task": {...}, "directory": "..."}  -> {}
    {"do": "round"}                                   -> {"sample": 1.25}
    {"do": "leave"}                                   -> {"facts": {...}}

A request that fails is answered with {"error": "..."}. A sample is in ms, or in operations a second where
clients work for a time; what a task holds is told in task.ts. Started with `--fill DIRECTORY OBJECTS TEXTS`
it fills a database and kills itself.
"""

import bisect
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time

import persistent
import transaction
import ZODB
import ZODB.FileStorage.FileStorage
from BTrees.OOBTree import OOBTree
from persistent.mapping import PersistentMapping
from ZODB.POSException import ConflictError

# The module: in its package a class of the same name hides it.
file_storage = sys.modules["ZODB.FileStorage.FileStorage"]
clock = time.perf_counter
os_fsync = os.fsync

MIXED_POPULATION = 10_000
ZIPF_EXPONENT = 0.99
WRITE_SHARE = 0.1
SAVEPOINTS = 100
FILL_STEP = 1000
FILLER_BATCHES = 20
FILLER_BATCH = 40
FILLER_TEXTS = 100


class Item(persistent.Persistent):
    def __init__(self, text):
        self.text = text
        self.count = 0


class ResolvingItem(Item):
    def _p_resolveConflict(self, old, saved, wanted):
        return wanted


class Store:
    """A database in a directory; every object that is live stays in the connection's cache."""

    def __init__(self, directory, task):
        self.path = os.path.join(directory, "Data.fs")
        os.makedirs(directory, exist_ok=True)
        # FileStorage calls fsync by this name, and leaves it out where there is none.
        file_storage.fsync = os_fsync if task["durability"] == "sync" else None
        self.open()

    def open(self):
        self.storage = file_storage.FileStorage(self.path)
        self.db = ZODB.DB(self.storage, pool_size=100, cache_size=2_000_000)

    def reopen(self):
        self.db.close()
        self.open()

    def close(self):
        self.db.close()

    def connect(self):
        manager = transaction.TransactionManager(explicit=True)
        return manager, self.db.open(manager)

    def fill(self, texts, count, make=Item, container=PersistentMapping):
        manager, connection = self.connect()
        with manager:
            connection.root()["items"] = container()
        for first in range(0, count, FILL_STEP):
            with manager:
                items = connection.root()["items"]
                for at in range(first, min(count, first + FILL_STEP)):
                    items[at] = make(texts[at % len(texts)])
        connection.close()


    def bury(self, texts):
        """Writes 24 MB more: what is read cold is no longer among the latest writes."""
        manager, connection = self.connect()
        with manager:
            connection.root()["filler"] = OOBTree()
        for batch in range(FILLER_BATCHES):
            with manager:
                filler = connection.root()["filler"]
                for at in range(batch * FILLER_BATCH, (batch + 1) * FILLER_BATCH):
                    turn = at % len(texts)
                    filler[at] = Item("".join((texts[turn:] + texts[:turn])[:FILLER_TEXTS]))
        connection.close()


class Entry:
    """A contender at work on one task: one subclass for each operation."""

    def __init__(self, task, directory, texts):
        self.task = task
        self.objects = task["objects"]
        self.texts = texts
        self.store = Store(directory, task)
        self.prepare()

    def prepare(self):
        pass

    def round(self):
        loops = self.task["loops"]
        return sum(self.once() for _ in range(loops)) / loops * 1000

    def leave(self):
        facts = self.facts()
        self.store.close()
        return facts

    def facts(self):
        return {}

    def text_at(self, at):
        return self.texts[at % len(self.texts)]


class Add(Entry):
    def prepare(self):
        self.store.fill(self.texts, 0)
        self.manager, self.connection = self.store.connect()

    def once(self):
        with self.manager:
            self.connection.root()["items"].clear()
        new = [Item(self.text_at(at)) for at in range(self.objects)]
        start = clock()
        self.manager.begin()
        items = self.connection.root()["items"]
        for at, item in enumerate(new):
            items[at] = item
        self.manager.commit()
        return clock() - start

    def facts(self):
        with self.manager:
            verify("the number of items", len(self.connection.root()["items"]), self.objects)
        self.connection.close()
        return {}


class StoreRecords(Entry):
    def prepare(self):
        self.store.fill(self.texts, self.objects)
        manager, connection = self.store.connect()
        with manager:
            oids = [item._p_oid for item in connection.root()["items"].values()]
        connection.close()
        storage = self.store.storage
        self.records = [(oid, storage.load(oid)[0]) for oid in oids]
        self.serial = {oid: storage.load(oid)[1] for oid in oids}

    def once(self):
        storage = self.store.storage
        tx = transaction.TransactionManager().get()
        meta = ZODB.Connection.TransactionMetaData(tx.user, tx.description, {})
        serial = self.serial
        start = clock()
        storage.tpc_begin(meta)
        for oid, data in self.records:
            storage.store(oid, serial[oid], data, "", meta)
        storage.tpc_vote(meta)
        tid = storage.tpc_finish(meta)
        spent = clock() - start
        for oid in serial:
            serial[oid] = tid
        return spent


class Counted(Entry):
    """A task whose every run adds one to the count of each item."""

    def prepare(self):
        self.store.fill(self.texts, self.objects)
        self.manager, self.connection = self.store.connect()
        self.runs = 0

    def once(self):
        self.runs += 1
        start = clock()
        self.work()
        return clock() - start

    def change_all(self):
        self.manager.begin()
        for item in self.connection.root()["items"].values():
            item.count += 1
        self.manager.commit()

    def read_all(self):
        self.manager.begin()
        letters = read_all(self.connection)
        self.manager.abort()
        return letters

    def facts(self):
        with self.manager:
            total = sum(item.count for item in self.connection.root()["items"].values())
        verify("the sum of all counts", total, self.runs * self.objects)
        self.connection.close()
        return {}


class Update(Counted):
    work = Counted.change_all


class ReadAfterWrite(Counted):
    def work(self):
        self.change_all()
        self.read_all()


class Savepoint(Counted):
    def work(self):
        every = max(1, self.objects // SAVEPOINTS)
        self.manager.begin()
        for changed, item in enumerate(self.connection.root()["items"].values(), 1):
            item.count += 1
            if changed % every == 0:
                self.manager.savepoint()
        self.manager.commit()


class ConflictingUpdates(Entry):
    """Two transactions that began at the same time change every item; the second is merged."""

    def prepare(self):
        self.store.fill(self.texts, self.objects, ResolvingItem)
        self.clients = [self.store.connect() for _ in range(2)]

    def once(self):
        start = clock()
        for manager, connection in self.clients:
            manager.begin()
            for item in connection.root()["items"].values():
                item.count += 1
        for manager, _ in self.clients:
            manager.commit()
        return clock() - start

    def facts(self):
        for _, connection in self.clients:
            connection.close()
        return {}


class Read(Entry):
    container = PersistentMapping

    def prepare(self):
        self.store.fill(self.texts, self.objects, Item, self.container)
        self.letters = sum(len(self.text_at(at)) for at in range(self.objects))
        self.manager, self.connection = self.store.connect()
        self.read()

    def read(self):
        before = self.connection.getTransferCounts()[0]
        start = clock()
        self.manager.begin()
        letters = read_all(self.connection)
        self.manager.abort()
        spent = clock() - start
        verify("the letters read", letters, self.letters)
        self.loads = self.connection.getTransferCounts()[0] - before
        return spent

    def facts(self):
        self.connection.close()
        return {"loads": self.loads}


class ColdRead(Read):
    def prepare(self):
        super().prepare()
        self.store.bury(self.texts)

    def once(self):
        self.connection.close()
        self.store.reopen()
        start = clock()
        self.manager, self.connection = self.store.connect()
        spent = clock() - start + self.read()
        verify("that at least as many were loaded", self.loads >= self.objects, True)
        return spent


class ContainerIterate(ColdRead):
    container = OOBTree


class HotRead(Read):
    def once(self):
        self.connection.cacheMinimize()
        spent = self.read()
        verify("that at least as many were loaded", self.loads >= self.objects, True)
        return spent


class SteaminRead(Read):
    def once(self):
        spent = self.read()
        verify("the objects loaded", self.loads, 0)
        return spent


class EmptyTransactionCommit(Entry):
    def prepare(self):
        self.store.fill(self.texts, 1)
        self.manager, self.connection = self.store.connect()

    def round(self):
        manager, loops = self.manager, self.task["loops"]
        start = clock()
        for _ in range(loops):
            manager.begin()
            manager.commit()
        return (clock() - start) / loops * 1000

    def facts(self):
        self.connection.close()
        return {}


class ReadCurrent(Entry):
    def prepare(self):
        self.store.fill(self.texts, self.objects)
        self.manager, self.connection = self.store.connect()

    def once(self):
        start = clock()
        self.manager.begin()
        last = None
        for last in self.connection.root()["items"].values():
            last._p_activate()  # of a ghost readCurrent takes no note
            self.connection.readCurrent(last)
        last.count += 1
        self.manager.commit()
        return clock() - start

    def facts(self):
        self.connection.close()
        return {}


class NewOid(Entry):
    def once(self):
        new_oid = self.store.storage.new_oid
        start = clock()
        for _ in range(self.objects):
            new_oid()
        return clock() - start


class Clients(Entry):
    """Threads that each begin again when they are done, until the round's time is over."""

    def round(self):
        limit = self.task["roundMs"] / 1000
        done, errors = [], []
        start = clock()

        def run(client):
            manager, connection = self.store.connect()
            count = 0
            try:
                while True:
                    self.work(client, manager, connection)
                    count += 1
                    if clock() - start >= limit:
                        break
            except Exception as error:  # reaches the main thread below
                errors.append(error)
            finally:
                connection.close()
                done.append(count)

        threads = [threading.Thread(target=run, args=(i,)) for i in range(self.task["clients"])]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        spent = clock() - start
        if errors:
            raise errors[0]
        self.done = getattr(self, "done", 0) + sum(done)
        return sum(done) / spent

    def verify_counts(self, expected):
        manager, connection = self.store.connect()
        with manager:
            total = sum(item.count for item in connection.root()["items"].values())
        connection.close()
        verify("the sum of all counts", total, expected)


class Commits(Clients):
    def prepare(self):
        self.store.fill(self.texts, self.task["clients"] * self.objects)
        self.spans = []

    def work(self, client, manager, connection):
        start = clock()
        manager.begin()
        items = connection.root()["items"]
        first = client * self.objects
        for at in range(first, first + self.objects):
            items[at].count += 1
        manager.commit()
        self.spans.append(clock() - start)

    def facts(self):
        self.verify_counts(self.done * self.objects)
        spans = sorted(self.spans)
        return {"medianMs": spans[len(spans) // 2] * 1000, "p99Ms": spans[len(spans) * 99 // 100] * 1000}


class Retrying(Clients):
    """Clients that repeat a transaction until it is committed."""

    def prepare(self):
        self.lock = threading.Lock()
        self.conflicts = 0
        self.fill()

    def until_committed(self, manager, change):
        while True:
            manager.begin()
            try:
                change()
                manager.commit()
                return
            except ConflictError:
                manager.abort()
                with self.lock:
                    self.conflicts += 1


class ContainerInsert(Retrying):
    def fill(self):
        manager, connection = self.store.connect()
        with manager:
            connection.root()["keys"] = OOBTree()
        connection.close()
        self.next = 0
        self.random = random.Random(self.task["seed"])

    def work(self, _client, manager, connection):
        with self.lock:
            order = self.next
            self.next += 1
            high = order if self.task["isRising"] else self.random.randrange(2**31) * 2**20
        key = order if self.task["isRising"] else high + order

        def change():
            connection.root()["keys"][key] = order

        self.until_committed(manager, change)

    def facts(self):
        manager, connection = self.store.connect()
        with manager:
            verify("the number of keys", len(connection.root()["keys"]), self.done)
        connection.close()
        return {"conflicts": self.conflicts}


class Mixed(Retrying):
    def fill(self):
        self.store.fill(self.texts, MIXED_POPULATION)
        self.random = random.Random(self.task["seed"])
        total, self.sums = 0.0, []
        for rank in range(1, MIXED_POPULATION + 1):
            total += 1 / rank**ZIPF_EXPONENT
            self.sums.append(total)
        self.changes = 0

    def pick(self):
        return bisect.bisect_left(self.sums, self.random.random() * self.sums[-1])

    def work(self, _client, manager, connection):
        picked = [self.pick() for _ in range(self.objects)]
        if self.random.random() >= WRITE_SHARE:
            manager.begin()
            items = connection.root()["items"]
            for at in picked:
                len(items[at].text)
            manager.abort()
            return

        def change():
            items = connection.root()["items"]
            for at in picked:
                items[at].count += 1

        self.until_committed(manager, change)
        with self.lock:
            self.changes += len(picked)

    def facts(self):
        self.verify_counts(self.changes)
        return {"conflicts": self.conflicts}


class ConflictRetry(Retrying):
    def fill(self):
        self.store.fill(self.texts, self.task["clients"] + 1)
        self.random = random.Random(self.task["seed"])

    def work(self, client, manager, connection):
        is_shared = self.random.random() * 100 < self.task["overlapPercent"]
        at = self.task["clients"] if is_shared else client

        def change():
            connection.root()["items"][at].count += 1

        self.until_committed(manager, change)

    def facts(self):
        self.verify_counts(self.done)
        return {"retriesPerSuccess": self.conflicts / self.done}


class Open(Entry):
    """Of a database whose process was killed: each time with the index that it left behind."""

    def __init__(self, task, directory, texts):
        self.task = task
        self.directory = directory
        self.path = os.path.join(directory, "Data.fs")
        command = [sys.executable, __file__, "--fill", directory, str(task["objects"]), task["texts"]]
        killed = subprocess.run(command, check=False).returncode
        verify("what ended the process that fills", killed, -signal.SIGKILL)
        self.index = self.path + ".index"
        self.kept = self.path + ".kept"
        if os.path.exists(self.index):
            shutil.copy(self.index, self.kept)

    def once(self):
        for name in (self.index, self.path + ".lock"):
            if os.path.exists(name):
                os.remove(name)
        if os.path.exists(self.kept):
            shutil.copy(self.kept, self.index)
        start = clock()
        store = Store(self.directory, self.task)
        spent = clock() - start
        manager, connection = store.connect()
        with manager:
            verify("the number of items", len(connection.root()["items"]), self.task["objects"])
        connection.close()
        store.close()
        return spent

    def leave(self):
        return {}


ENTRIES = {
    "add": Add,
    "store": StoreRecords,
    "update": Update,
    "conflicting-updates": ConflictingUpdates,
    "read-after-write": ReadAfterWrite,
    "cold-read": ColdRead,
    "hot-read": HotRead,
    "steamin-read": SteaminRead,
    "empty-transaction-commit": EmptyTransactionCommit,
    "read-current": ReadCurrent,
    "new-oid": NewOid,
    "commits": Commits,
    "container-insert": ContainerInsert,
    "container-iterate": ContainerIterate,
    "mixed": Mixed,
    "conflict-retry": ConflictRetry,
    "savepoint": Savepoint,
    "open": Open,
}


def read_all(connection):
    letters = 0
    for item in connection.root()["items"].values():
        letters += len(item.text)
    return letters


def verify(what, found, expected):
    if found != expected:
        raise AssertionError(f"The measured work went wrong: {what} is {found}, expected {expected}")


def versions():
    from importlib.metadata import version

    found = {name: version(name) for name in ("ZODB", "persistent", "BTrees", "transaction")}
    is_compiled = persistent.Persistent is not getattr(persistent, "PersistentPy", None)
    return {**found, "Python": sys.version.split()[0], "compiled": is_compiled}


def load_texts(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def answer(request, state):
    do = request["do"]
    if do == "hello":
        return {"versions": versions()}
    if do == "enter":
        task = request["task"]
        texts = load_texts(task["texts"])
        state["entry"] = ENTRIES[task["operation"]](task, request["directory"], texts)
        return {}
    if do == "round":
        return {"sample": state["entry"].round()}
    if do == "leave":
        entry = state.pop("entry", None)
        return {"facts": entry.leave() if entry else {}}
    raise ValueError(f"There is no request named {do}")


def fill_and_die(directory, objects, texts):
    store = Store(directory, {"durability": "sync"})
    store.fill(load_texts(texts), int(objects), Item, OOBTree)
    os.kill(os.getpid(), signal.SIGKILL)


def main():
    if sys.argv[1:2] == ["--fill"]:
        fill_and_die(*sys.argv[2:])
    state = {}
    for line in sys.stdin:
        try:
            result = answer(json.loads(line), state)
        except Exception as error:
            result = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
