"""Volley's recipe tasks, for Python FireWorks that shares a launchpad with Volley.

Python FireWorks refuses to load a workflow with a task whose class it cannot find. With this
package on PYTHONPATH and `ADD_USER_PACKAGES: [volley_firetasks]` in FW_config.yaml it reads,
lists, reruns and deletes such workflows; Volley workers run them.
"""
