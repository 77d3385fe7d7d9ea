/*
 * The beginning of the page.
 */
document.getElementById("status").textContent = "Starting…";
