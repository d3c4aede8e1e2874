"""Runs the tasks that are written in Python, for the Volley worker that has started it.

The worker sends this text and then one JSON document a line over a socket; each gets one line in
answer. Nothing but the standard library is needed; with `fireworks` in this Python all is done by
FireWorks' own rules, without it PyTask is all there is. The interpreter stays for many tasks, as in
FireWorks' `rlaunch rapidfire`: what is imported or changed in one task is so for the next.
"""

import base64
import builtins
import contextlib
import datetime
import faulthandler
import functools
import importlib
import importlib.util
import json
import os
import pkgutil
import sys
import traceback

HERE = (lambda: None).__code__.co_filename
EPOCH = datetime.datetime(1970, 1, 1)

# --- The wire: JSON, with an object whose only key begins with `$` for what JSON does not have.

try:
    import bson
    from bson import json_util
except ImportError:
    bson = None


def binary(text, subtype):
    data = base64.b64decode(text)
    return bson.Binary(data, subtype) if bson and subtype else data


TAGS = {
    "$date": lambda ms: EPOCH + datetime.timedelta(milliseconds=ms),
    "$oid": lambda text: bson.ObjectId(text) if bson else text,
    "$binary": lambda pair: binary(*pair),
    "$float": float,
    "$int64": lambda number: bson.Int64(number) if bson else number,
    "$map": dict,
    # Rarer types, in MongoDB's own JSON; kept as a string, so that this hook does not see inside.
    "$bson": lambda text: json_util.loads(text) if bson else json.loads(text),
}


def decode(document):
    if len(document) == 1:
        (key,) = document
        if key in TAGS:
            return TAGS[key](document[key])
    return document


def encode(value):
    """What MongoDB could store, for the wire; raises what pymongo would for anything else."""
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                raise TypeError("documents must have only string keys, key was %r" % (key,))
            if "\0" in key:
                raise ValueError("Key names must not contain the NULL byte")
        pairs = [(encode(key), encode(item)) for key, item in value.items()]
        return {"$map": pairs} if any(key.startswith("$") for key in value) else dict(pairs)
    if isinstance(value, list):
        return [encode(item) for item in value]
    if isinstance(value, float):
        value = float(value)
        return value if value - value == 0 else {"$float": repr(value)}
    if isinstance(value, str):
        value.encode()  # raises for what is not Unicode
    elif isinstance(value, int) and not isinstance(value, bool):
        if not -(1 << 63) <= value < 1 << 63:
            raise OverflowError("MongoDB can only handle up to 8-byte ints")
        return {"$int64": int(value)} if bson and isinstance(value, bson.Int64) else int(value)
    return value


# --- FireWorks, and what stands in for it where it is not installed.


class Missing(Exception):
    """Something that a task needs is not in this Python."""


@functools.lru_cache(maxsize=None)
def why_no_fireworks():
    """None where there is FireWorks, which is imported then: it looks for FW_config.yaml in the
    present folder."""
    try:
        importlib.import_module("fireworks.utilities.fw_serializers")
        return None
    except Exception as error:
        if not (isinstance(error, ModuleNotFoundError) and error.name == "fireworks"):
            return "fireworks in %s: %s" % (sys.executable, describe(error))
        advice = "pip install fireworks there, or name another Python as `python` in my_fworker.yaml"
        return "%s in %s (%s)" % (error, sys.executable, advice)


def fireworks(module):
    """A module of FireWorks."""
    if why_no_fireworks():
        raise Missing(why_no_fireworks())
    return importlib.import_module("fireworks." + module)


def describe(error):
    return str(error) if isinstance(error, ImportError) else "%s: %s" % (type(error).__name__, error)


def load(value):
    """A stored value as FireWorks gives it to a task."""
    if why_no_fireworks() is None:
        return fireworks("utilities.fw_serializers")._recursive_load(value)
    if isinstance(value, dict):
        if "@module" in value and "@class" in value and importlib.util.find_spec("monty"):
            return json.loads(json.dumps(value), cls=importlib.import_module("monty.json").MontyDecoder)
        return {key: load(item) for key, item in value.items()}
    if isinstance(value, list):
        return [load(item) for item in value]
    if isinstance(value, str) and "T" in value:
        for form in (None, "%Y-%m-%dT%H:%M:%S.%f", "%Y-%m-%dT%H:%M:%S"):
            try:
                parse = datetime.datetime.strptime
                return parse(value, form) if form else datetime.datetime.fromisoformat(value)
            except ValueError:
                pass
    return value


def dump(value):
    """A value of a task as FireWorks stores it."""
    if why_no_fireworks() is None:
        return fireworks("utilities.fw_serializers").recursive_dict(value)
    for method in ("as_dict", "to_dict"):
        if hasattr(value, method):
            return dump(getattr(value, method)())
    if value is None or isinstance(value, (int, float)):
        return value
    if isinstance(value, dict):
        return {dump(key): dump(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [dump(item) for item in value]
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    if hasattr(value, "__array_interface__") and hasattr(value, "tolist") and type(value).__name__ == "ndarray":
        return dump(value.tolist())
    return str(value)


class PlainAction:
    """As much of an FWAction as a plain function can ask for."""

    def __init__(self):
        self.stored_data, self.update_spec, self.mod_spec = {}, {}, []

    def to_dict(self):
        return dump(vars(self))


class PlainPyTask(dict):
    """PyTask without FireWorks."""

    OWN = ("func", "args", "kwargs", "auto_kwargs", "stored_data_varname", "inputs", "outputs", "chunk_number")

    def function(self):
        module, dot, name = self["func"].rpartition(".")
        return getattr(importlib.import_module(module) if dot else builtins, name)

    def run_task(self, spec):
        function = self.function()
        arguments = list(self.get("args", [])) + [spec[key] for key in self.get("inputs", [])]
        if self.get("auto_kwargs"):
            named = {key: self[key] for key in self if key[:1] != "_" and key not in self.OWN}
        else:
            named = self.get("kwargs", {})
        result = function(*arguments, **named)
        if hasattr(result, "update_spec") and hasattr(result, "to_dict"):
            return result
        action = PlainAction()
        outputs = self.get("outputs", [])
        if self.get("chunk_number") is not None and len(outputs) == 1:
            items = result if isinstance(result, (list, tuple, set)) else [result]
            action.mod_spec = [{"_push": {outputs[0]: item}} for item in items]
        elif len(outputs) == 1:
            action.update_spec = {outputs[0]: result}
        elif outputs:
            if len(result) != len(outputs):
                raise ValueError("%d outputs, but %d results" % (len(outputs), len(result)))
            action.update_spec = dict(zip(outputs, result))
        if self.get("stored_data_varname"):
            action.stored_data = {self["stored_data_varname"]: result}
        return action


def make_task(request, spec):
    document = request["task"]
    if document.get("_fw_name") == "PyTask" and why_no_fireworks():
        return PlainPyTask((key, load(item)) for key, item in document.items())
    task = fireworks("utilities.fw_serializers").load_object(dict(document))
    if spec.get("_add_launchpad_and_fw_id"):
        task.fw_id, task.launchpad = request["fw_id"], launchpad()
    if spec.get("_add_fworker"):
        task.fworker = fireworks("core.fworker").FWorker.from_dict(SETTINGS["fworker"])
    return task


def launchpad():
    """FireWorks' own, where the launchpad is a MongoDB."""
    if SETTINGS["launchpad"] and "connected" not in SETTINGS:
        SETTINGS["connected"] = fireworks("core.launchpad").LaunchPad(**SETTINGS["launchpad"])
    return SETTINGS.get("connected")


# --- What can be run here.


@functools.lru_cache(maxsize=None)
def names_of_classes():
    """All names under which FireWorks' load_object finds classes, which it then remembers."""
    serializers = fireworks("utilities.fw_serializers")
    names = set()
    for package in serializers.USER_PACKAGES:
        folders = importlib.import_module(package).__path__
        for _, name, _ in pkgutil.walk_packages(folders, package + "."):
            with contextlib.suppress(ImportError):
                for cls in vars(importlib.import_module(name)).values():
                    if isinstance(cls, type) and cls.__module__ == name:
                        names.add(getattr(cls, "_fw_name", serializers.get_default_serialization(cls)))
    return names


def lacks_class(name):
    """Why FireWorks would find no class for a `_fw_name`; None if it would."""
    if why_no_fireworks():
        return None if name == "PyTask" else why_no_fireworks()
    serializers = fireworks("utilities.fw_serializers")
    name = serializers.FW_NAME_UPDATES.get(name, name)
    try:
        if name.startswith("{{") and name.endswith("}}"):
            module, _, cls = name.strip("{} ").rpartition(".")
            return None if hasattr(importlib.import_module(module), cls) else "%s has no %s" % (module, cls)
        if name in names_of_classes():
            return None
    except BaseException as error:  # also what a module does while it is imported
        return describe(error)
    packages = ", ".join(serializers.USER_PACKAGES)
    return "no class has this _fw_name in %s (ADD_USER_PACKAGES in FW_config.yaml names more)" % packages


def lacks_package(name):
    try:
        found = importlib.util.find_spec(name)
    except BaseException as error:
        return describe(error)
    return None if found else "No module named %r" % name


def check(request):
    asked = [("classes", lacks_class), ("packages", lacks_package)]
    answer = {kind: {name: lacks(name) for name in request[kind]} for kind, lacks in asked}
    return {kind: {name: why for name, why in found.items() if why} for kind, found in answer.items()}


# --- Running a task.


class Output:
    """Sends what this process and its children print to files of the launch."""

    def __init__(self, directory):
        self.paths = {1: os.path.join(directory, "FW_job.out"), 2: os.path.join(directory, "FW_job.error")}

    def __enter__(self):
        flush()
        self.saved = {number: os.dup(number) for number in self.paths}
        for number, path in self.paths.items():
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
            os.dup2(file, number)
            os.close(file)

    def __exit__(self, *_):
        flush()
        for number, path in self.paths.items():
            if os.fstat(number).st_size == 0:
                with contextlib.suppress(OSError):  # the task may have moved it
                    os.unlink(path)
            os.dup2(self.saved[number], number)
            os.close(self.saved[number])


try:
    import ctypes

    flush_c = ctypes.CDLL(None).fflush
except Exception:
    flush_c = id


def flush():
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):  # a task may have closed or replaced it
            stream.flush()
    flush_c(None)


class Spec:
    """The spec of the launch that runs, as its tasks have left it: what one task puts there stays
    the object that it is for the next, as in FireWorks."""

    launch = None

    def enter(self, launch, stored):
        """The live spec, brought to what is stored now."""
        if launch != self.launch:
            self.launch, self.stored, self.live = launch, {}, {}
        for key in self.stored.keys() - stored.keys():
            self.live.pop(key, None)
        for key, value in stored.items():
            if key not in self.stored or self.stored[key] != value:
                # FireWorks has its tasks as plain documents here.
                self.live[key] = value if key == "_tasks" else load(value)
        self.stored = stored
        return self.live

    def leave(self, action, document):
        """What the action does to it. `document` is the action as it is stored."""
        self.live.update(action.update_spec)
        self.stored.update(document["update_spec"])
        if action.mod_spec:
            apply_mod = fireworks("utilities.dict_mods").apply_mod
            for live, stored in zip(action.mod_spec, document["mod_spec"]):
                apply_mod(live, self.live)
                apply_mod(stored, self.stored)


SPEC = Spec()
SETTINGS = {}


def run_task(request):
    spec = SPEC.enter(request["launch_id"], request["spec"])
    task = make_task(request, spec)
    action = task.run_task(spec)
    if not action:
        return None
    document = action.to_dict()
    answer = encode(document)
    try:
        SPEC.leave(action, document)
    except Exception:
        SPEC.launch = None  # Whoever applies the action to what is stored will say what is wrong.
    return answer


def own_frames_left_out(error):
    """The traceback from where the code of others begins."""
    trace = error.__traceback__
    while trace and trace.tb_frame.f_code.co_filename == HERE:
        trace = trace.tb_next
    return "".join(traceback.format_exception(type(error), error, trace or error.__traceback__))


def details_of(error):
    with contextlib.suppress(Exception):  # few exceptions have any, fewer can be stored
        return encode(dump(error.to_dict()))


def run(request):
    home = os.getcwd()
    try:
        os.environ.update(request["environment"])
        os.chdir(request["directory"])
        with Output(request["directory"]):
            try:
                return {"action": run_task(request)}
            except BaseException as error:
                text = own_frames_left_out(error)
                sys.stderr.write(text)
                return {"failure": {"traceback": text, "details": details_of(error)}}
    except Exception as error:  # the directory cannot be used, or stderr is closed
        return {"failure": {"traceback": own_frames_left_out(error), "details": None}}
    finally:
        os.chdir(home)


def serve(socket, requests):
    faulthandler.enable()
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True)
    del sys.argv[1:]
    why_no_fireworks()  # imports it while this is still the folder of the worker
    me = os.getpid()
    answers = {"settings": lambda request: SETTINGS.update(request), "check": check, "run": run}
    for line in requests:
        ((verb, request),) = json.loads(line, object_hook=decode).items()
        answer = answers[verb](request)
        if os.getpid() != me:
            os._exit(0)  # a task has forked, and its child came back here
        text = json.dumps(answer, ensure_ascii=False, allow_nan=False) + "\n"
        socket.sendall(text.encode("utf-8", "replace"))
