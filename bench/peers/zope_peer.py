"""zope.component, zope.traversing, zope.site and zope.securitypolicy, doing what ours is measured in.

Reads requests from stdin and answers each on stdout, one line of JSON for one line of JSON:

    {"do": "hello"}                                            -> {"versions": {...}}
    {"do": "enter", "work": "traverse", "options": {...}}      -> {}
    {"do": "round", "roundMs": 300}                            -> {"sample": 12.5}
    {"do": "leave"}                                            -> {"facts": {...}}

A request that fails is answered with {"error": "..."}. A process does one work, since registrations are
global. A sample is µs for each call, timed by `timeit` with the statement in its loop, so that no call of
ours is counted with it; of `register` it is ms for all. The garbage collector runs as it would.
"""

import gc
import importlib.metadata
import json
import os
import statistics
import sys
import time
import timeit

import ZODB
import zope.component
import zope.event
from persistent import Persistent
from zope.annotation.attribute import AttributeAnnotations
from zope.annotation.interfaces import IAttributeAnnotatable
from zope.authentication.interfaces import IAuthentication
from zope.component.event import objectEventNotify
from zope.component.hooks import setHooks, setSite
from zope.component.interfaces import ISite
from zope.container.contained import Contained
from zope.container.interfaces import IReadContainer
from zope.container.traversal import ContainerTraversable
from zope.interface import Interface, classImplements, implementedBy, implementer
from zope.interface.interface import InterfaceClass
from zope.interface.interfaces import IObjectEvent
from zope.interface.registry import Components
from zope.lifecycleevent import ObjectModifiedEvent
from zope.lifecycleevent.interfaces import IObjectModifiedEvent
from zope.location.interfaces import ILocation, IRoot
from zope.location.traversing import LocationPhysicallyLocatable, RootPhysicallyLocatable
from zope.principalregistry.principalregistry import Group, principalRegistry
from zope.security.management import checkPermission, newInteraction, setSecurityPolicy
from zope.security.management import thread_local as security_thread
from zope.securitypolicy.interfaces import IPrincipalPermissionManager, IPrincipalRoleManager
from zope.securitypolicy.interfaces import IRolePermissionManager
from zope.securitypolicy.principalpermission import AnnotationPrincipalPermissionManager
from zope.securitypolicy.principalrole import AnnotationPrincipalRoleManager
from zope.securitypolicy.rolepermission import AnnotationRolePermissionManager
from zope.securitypolicy.zopepolicy import ZopeSecurityPolicy
from zope.site.folder import Folder, rootFolder
from zope.site.site import LocalSiteManager, SiteManagerAdapter
from zope.traversing.adapters import DefaultTraversable, Traverser
from zope.traversing.api import traverse
from zope.traversing.interfaces import ITraversable, ITraverser

OFFICES = 122
STAFF = 99
BOB = "/NOAA/NWS/OUN/employees/Bob"
CALLS_BETWEEN_LOOKS = 500


class IThing(Interface):
    pass


class IMailer(Interface):
    pass


class IReport(Interface):
    pass


class IEmployee(Interface):
    pass


@implementer(IThing)
class Thing:
    pass


@implementer(IMailer)
class Mailer:
    pass


@implementer(IMailer)
class StoredMailer(Persistent):
    def __init__(self):
        self.host = "localhost"


@implementer(IReport)
class Report:
    pass


@implementer(IEmployee)
class Employee(Contained):
    pass


class Calls:
    """Many calls of one statement in a round: a subclass gives the statement, and what it names."""

    def __init__(self, options):
        self.options = options
        statement, names, (found, expected) = self.prepare(**options)
        verify(statement, found, expected)
        # `timeit` switches the collector off; this switches it on again.
        self.timer = timeit.Timer(statement, "gc.enable()", globals={"gc": gc, **names})

    def round(self, round_ms):
        calls, spent = 0, 0.0
        while spent * 1000 < round_ms:
            spent += self.timer.timeit(CALLS_BETWEEN_LOOKS)
            calls += CALLS_BETWEEN_LOOKS
        return spent * 1e6 / calls

    def leave(self):
        return {}


class Traverse(Calls):
    """Five names from the root folder, through sites and folders in memory, none of them proxied."""

    def prepare(self):
        provide_traversal()
        root = build_offices()
        found = traverse(root, BOB)
        names = {"traverse": traverse, "root": root, "path": BOB}
        return "traverse(root, path)", names, (type(found) is Employee and found.__name__, "Bob")


class Lookup(Calls):
    """The factory of an adapter, not called, straight from a registry in memory."""

    def prepare(self, bases):
        registry = chained(components, bases)
        verify("the number of bases", len(registry.adapters.ro) - 1, bases)
        lookup, required = registry.adapters.lookup, (implementedBy(Thing),)
        names = {"lookup": lookup, "required": required, "IReport": IReport}
        return "lookup(required, IReport)", names, (lookup(required, IReport), report_of)


class Utility(Calls):
    """The utility of the current site, for a function that is told no registry."""

    def prepare(self, bases):
        enter_sites(bases)
        get = zope.component.getUtility
        return "get(IMailer)", {"get": get, "IMailer": IMailer}, (get(IMailer), MAILER)


class Adapter(Calls):
    """The adapter of the current site, whose factory gives what is there."""

    def prepare(self, bases):
        enter_sites(bases)
        query, thing = zope.component.queryAdapter, Thing()
        names = {"query": query, "thing": thing, "IReport": IReport}
        return "query(thing, IReport)", names, (query(thing, IReport), REPORT)


class Notify(Calls):
    """An event of an object, which nobody waits for; others wait for the same event of other kinds of objects."""

    def prepare(self, handlers):
        registry = zope.component.getGlobalSiteManager()
        registry.registerHandler(objectEventNotify, (IObjectEvent,))
        called = []
        for at in range(handlers):
            kind = InterfaceClass(f"IKind{at}", (Interface,), __module__="bench")
            registry.registerHandler(lambda *args: called.append(args), (kind, IObjectModifiedEvent))
        handled = []
        registry.registerHandler(lambda *args: handled.append(args), (IEmployee, IObjectModifiedEvent))
        event = ObjectModifiedEvent(Employee())
        zope.event.notify(event)
        verify("the handlers called", (len(handled), len(called)), (1, 0))
        names = {"notify": zope.event.notify, "event": ObjectModifiedEvent(Thing())}
        return "notify(event)", names, (called, [])


class SiteOf(Calls):
    """The site manager of an object, by the name of the nearest site above it."""

    def prepare(self, depth):
        zope.component.provideAdapter(SiteManagerAdapter)
        root, deepest = build_depth(depth)
        get = zope.component.getSiteManager
        names = {"get": get, "deepest": deepest}
        return "get(deepest)", names, (get(deepest), root.getSiteManager())


class Permission(Calls):
    """
    A permission that a role has at the root and a principal, or its group, has the role there. Cold: the policy
    of the interaction forgets what it decided before each call.
    """

    def prepare(self, depth, grant, cache):
        provide_security()
        root, deepest = build_depth(depth)
        bob = principalRegistry.definePrincipal("bench.bob", "Bob", login="bob")
        granted(root, bob, grant)
        setSecurityPolicy(ZopeSecurityPolicy)
        newInteraction(Participation(bob))
        policy = security_thread.interaction
        verify("what nobody has", checkPermission("bench.Other", deepest), False)
        names = {"check": checkPermission, "deepest": deepest, "policy": policy}
        check = "check('zope.View', deepest)"
        statement = f"policy.invalidate_cache(); {check}" if cache == "cold" else check
        return statement, names, (checkPermission("zope.View", deepest), True)


class Register:
    """
    So many new persistent utilities in a new site, committed to a FileStorage. Its facts: what all take over a tenth of
    them, and the memory that the first time took.
    """

    def __init__(self, options):
        self.components = options["components"]
        os.makedirs(options["directory"])
        self.db = ZODB.DB(os.path.join(options["directory"], "Data.fs"))
        self.sites = 0
        self.spans = {}
        self.memory_mb = None

    def round(self, round_ms):
        self.register(self.components // 10)
        gc.collect()
        before = resident_mb()
        spent = self.register(self.components)
        if self.memory_mb is None:
            self.memory_mb = resident_mb() - before
        return spent

    def register(self, count):
        name, self.sites = f"site-{self.sites}", self.sites + 1
        start = time.perf_counter()
        with self.db.transaction() as connection:
            connection.root()[name] = site = Folder()
            site.setSiteManager(LocalSiteManager(site))
            registry = site.getSiteManager()
            for at in range(count):
                registry.registerUtility(StoredMailer(), IMailer, f"mailer {at}")
        spent = (time.perf_counter() - start) * 1000
        with self.db.transaction() as connection:
            registry = connection.root()[name].getSiteManager()
            verify("the utilities", len(list(registry.registeredUtilities())), count)
        self.spans.setdefault(count, []).append(spent)
        return spent

    def leave(self):
        self.db.close()
        tenth, whole = (statistics.median(spans) for _, spans in sorted(self.spans.items()))
        return {"times a tenth": whole / tenth, "MB": self.memory_mb}


WORKS = {
    "traverse": Traverse,
    "lookup": Lookup,
    "utility": Utility,
    "adapter": Adapter,
    "notify": Notify,
    "site": SiteOf,
    "permission": Permission,
    "register": Register,
}


MAILER = Mailer()
REPORT = Report()


def report_of(thing):
    return REPORT


def components(name, *bases):
    return Components(name, bases)


def site_manager(name, *bases):
    """Of a site; told its bases as it would find them in the tree."""
    manager = LocalSiteManager(Folder(), default_folder=False)
    if bases:
        manager.__bases__ = bases
    return manager


def chained(make, bases):
    """A registry above which there are so many, each the base of the one before. The farthest has all there is."""
    registry = make("the farthest")
    registry.registerUtility(MAILER, IMailer)
    registry.registerAdapter(report_of, (IThing,), IReport)
    for at in range(bases):
        registry = make(f"registry {at}", registry)
    return registry


@implementer(ISite)
class Site:
    def __init__(self, registry):
        self.registry = registry

    def getSiteManager(self):
        return self.registry


class Participation:
    interaction = None

    def __init__(self, principal):
        self.principal = principal


def enter_sites(above):
    """A site with so many above it is the current one; above them all is the global registry."""
    registry = chained(site_manager, above)
    verify("the number of bases", len(registry.adapters.ro) - 1, above + 1)
    setHooks()
    setSite(Site(registry))


def provide_traversal():
    """What the packages register for themselves, as far as a path without namespaces needs it."""
    zope.component.provideAdapter(Traverser, (None,), ITraverser)
    zope.component.provideAdapter(DefaultTraversable, (None,), ITraversable)
    zope.component.provideAdapter(ContainerTraversable, (IReadContainer,), ITraversable)
    zope.component.provideAdapter(LocationPhysicallyLocatable, (ILocation,))
    zope.component.provideAdapter(RootPhysicallyLocatable, (IRoot,))


def provide_security():
    classImplements(Folder, IAttributeAnnotatable)
    classImplements(Employee, IAttributeAnnotatable)
    zope.component.provideAdapter(AttributeAnnotations)
    zope.component.provideAdapter(
        AnnotationPrincipalPermissionManager, (IAttributeAnnotatable,), IPrincipalPermissionManager
    )
    zope.component.provideAdapter(
        AnnotationPrincipalRoleManager, (IAttributeAnnotatable,), IPrincipalRoleManager
    )
    zope.component.provideAdapter(
        AnnotationRolePermissionManager, (IAttributeAnnotatable,), IRolePermissionManager
    )
    zope.component.provideUtility(principalRegistry, IAuthentication)


def granted(place, principal, grant):
    if grant == "principal":
        IPrincipalPermissionManager(place).grantPermissionToPrincipal("zope.View", principal.id)
        return
    holder = principal.id
    if grant == "group":
        holder = "bench.staff"
        principalRegistry.registerGroup(Group(holder, "Staff", ""))
        principal.groups = [holder]
    IRolePermissionManager(place).grantPermissionToRole("zope.View", "bench.Member")
    IPrincipalRoleManager(place).assignRoleToPrincipal("bench.Member", holder)


def add_site(parent, name):
    parent[name] = folder = Folder()
    folder.setSiteManager(LocalSiteManager(folder))
    return folder


def build_offices():
    """As ours: three sites, the innermost one of 122 offices and with 100 employees."""
    root = rootFolder()
    nws = add_site(add_site(root, "NOAA"), "NWS")
    employees = add_site(nws, "OUN")["employees"] = Folder()
    employees["Bob"] = Employee()
    for number in range(1, STAFF + 1):
        employees[f"employee-{number:04}"] = Employee()
    for number in range(1, OFFICES):
        nws[f"W{number:02}"] = Folder()
    return root


def build_depth(depth):
    """The root folder, a site, and what is so many steps below it: folders, and an employee at the end."""
    root = folder = rootFolder()
    root.setSiteManager(LocalSiteManager(root))
    for at in range(1, depth):
        folder[f"f{at}"] = Folder()
        folder = folder[f"f{at}"]
    folder["Bob"] = Employee()
    return root, folder["Bob"]


def resident_mb():
    with open("/proc/self/statm", encoding="ascii") as file:
        pages = int(file.read().split()[1])
    return pages * 4096 / 1e6


def verify(what, found, expected):
    if found != expected:
        raise AssertionError(f"The measured work went wrong: {what} is {found}, expected {expected}")


def versions():
    found = {name: importlib.metadata.version(name) for name in NAMED}
    return {**found, "Python": sys.version.split()[0], "compiled": is_compiled()}


NAMED = ("zope.interface", "zope.component", "zope.traversing", "zope.site", "zope.securitypolicy", "ZODB")


def is_compiled():
    """Whether look-ups of zope.interface run in C."""
    from zope.interface import adapter

    return adapter.LookupBase is not adapter.LookupBasePy


def answer(request, state):
    do = request["do"]
    if do == "hello":
        return {"versions": versions()}
    if do == "enter":
        state["work"] = WORKS[request["work"]](request["options"])
        return {}
    if do == "round":
        return {"sample": state["work"].round(request["roundMs"])}
    if do == "leave":
        return {"facts": state.pop("work").leave()}
    raise ValueError(f"There is no request named {do}")


def main():
    state = {}
    for line in sys.stdin:
        try:
            result = answer(json.loads(line), state)
        except Exception as error:
            result = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
