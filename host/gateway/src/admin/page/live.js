'use strict';
// Everything else works without this: it only looks again once a second.
const pulse = document.getElementById('pulse');

function isInUse(part) {
  const selection = getSelection();
  return part.matches(':focus-within, :active')
    || part.querySelector('details[open]')
    || (!selection.isCollapsed && selection.containsNode(part, true));
}

function exchange(shown, part) {
  const scrolled = [...shown.querySelectorAll('.long, .alert')].map((list) => list.scrollTop);
  shown.replaceWith(part);
  part.querySelectorAll('.long, .alert').forEach((list, index) => { list.scrollTop = scrolled[index] ?? 0; });
}

async function look() {
  try {
    const answer = await fetch('/live', { cache: 'no-store', signal: AbortSignal.timeout(5000) });
    if (!answer.ok) throw new Error(answer.status);
    const next = new DOMParser().parseFromString(await answer.text(), 'text/html');
    for (const part of next.querySelectorAll('[data-live]')) {
      const shown = document.getElementById(part.id);
      if (shown && !isInUse(shown) && shown.innerHTML !== part.innerHTML) exchange(shown, part);
    }
    pulse.textContent = 'live';
    pulse.className = 'on';
  } catch {
    pulse.textContent = 'no answer: is the gateway running?';
    pulse.className = 'off';
  }
}

async function lookOn() {
  if (!document.hidden) await look();
  setTimeout(lookOn, 1000);
}
lookOn();
