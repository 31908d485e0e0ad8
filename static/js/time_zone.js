// Sends the browser's time zone with the sign-up form, and offers it when the person's setting differs.
"use strict";
{
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  for (const select of document.querySelectorAll("[data-time-zone]")) {
    if (select.value || !zone) continue;
    // Browsers use old names for some zones, which the list does not have.
    if (![...select.options].some((option) => option.value === zone)) {
      select.add(new Option(zone.replaceAll("_", " "), zone));
    }
    select.value = zone;
  }

  // No offer if both zones show the same time, now and in half a year.
  const clock = (name, moment) => moment.toLocaleString("en-GB", { timeZone: name });
  const differs = (one, other) => {
    const now = Date.now(), halfYear = 182 * 24 * 3600 * 1000;
    return [now, now + halfYear].some((time) => clock(one, new Date(time)) !== clock(other, new Date(time)));
  };
  const refused = () => {
    try { return localStorage.getItem("time-zone-refused"); } catch { return null; }
  };

  for (const offer of document.querySelectorAll("[data-zone-offer]")) {
    try {
      if (!zone || refused() === zone || !differs(zone, offer.dataset.zoneOffer)) continue;
    } catch {
      continue; // the browser does not know the zone
    }
    offer.querySelector("[name=time_zone]").value = zone;
    for (const place of offer.querySelectorAll("[data-zone-name]")) place.textContent = zone.replaceAll("_", " ");
    offer.querySelector("[data-zone-keep]").addEventListener("click", () => {
      try { localStorage.setItem("time-zone-refused", zone); } catch { /* it is offered once more */ }
      offer.hidden = true;
    });
    offer.hidden = false;
  }
}
