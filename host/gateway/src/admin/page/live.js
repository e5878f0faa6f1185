'use strict';
// The page works without this script, which only updates it once a second.
const pulse = document.getElementById('pulse');

function isInUse(part) {
  const selection = getSelection();
  return part.matches(':focus-within, :active')
    || part.querySelector('details[open]')
    || (!selection.isCollapsed && selection.containsNode(part, true));
}

function replace(shown, part) {
  const scrolled = [...shown.querySelectorAll('.long, .alert')].map((list) => list.scrollTop);
  shown.replaceWith(part);
  part.querySelectorAll('.long, .alert').forEach((list, index) => { list.scrollTop = scrolled[index] ?? 0; });
}

async function update() {
  try {
    const response = await fetch('/live', { cache: 'no-store', signal: AbortSignal.timeout(5000) });
    if (!response.ok) throw new Error(response.status);
    const next = new DOMParser().parseFromString(await response.text(), 'text/html');
    for (const part of next.querySelectorAll('[data-live]')) {
      const shown = document.getElementById(part.id);
      if (shown && !isInUse(shown) && shown.innerHTML !== part.innerHTML) replace(shown, part);
    }
    pulse.textContent = 'live';
    pulse.className = 'on';
  } catch {
    pulse.textContent = 'no response: is the gateway running?';
    pulse.className = 'off';
  }
}

async function keepUpdating() {
  if (!document.hidden) await update();
  setTimeout(keepUpdating, 1000);
}
keepUpdating();
