"""Device: what is wrong with one machine, what to do, and the evidence. Its address is /device?id=…"""

import streamlit as st

from twin.ui import device_side, session
from twin.ui.device_note import device_note, notes_known
from twin.ui.device_picker import device_picker
from twin.ui.device_signals import signals_section
from twin.ui.empty import no_devices, no_such_device
from twin.ui.guard import guard
from twin.ui.work_known import work_known

guard(__file__)

devices = session.app().feed().devices
device_id = st.query_params.get("id", "")
if not devices:
    no_devices()
elif device_id not in devices:
    no_such_device(device_id, sorted(devices))
else:
    top, corner = st.columns([9, 2], vertical_alignment="bottom")
    with top:
        device_side.head(device_id)
    with corner:
        device_picker(device_id, sorted(devices))
    work_known()
    notes_known()
    left, right = st.columns([4, 8], gap="large")
    with left:
        device_side.doing(device_id)
        device_note(device_id)
    with right:
        signals_section(device_id)
        device_side.why(device_id)
