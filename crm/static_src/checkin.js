// Check-in: the camera reads codes and sends the form of the page. Without a camera, or without scripts, the code is typed.
import jsQR from "jsqr";

const box = document.querySelector("[data-camera]");
const form = document.getElementById("by-code");

if (box && form && navigator.mediaDevices?.getUserMedia) {
  const video = box.querySelector("video");
  const told = box.querySelector("[data-camera-said]");
  const canvas = document.createElement("canvas");
  const paper = canvas.getContext("2d", { willReadFrequently: true });
  box.hidden = false;

  const look = () => {
    if (video.readyState === video.HAVE_ENOUGH_DATA) {
      canvas.width = video.videoWidth;
      canvas.height = video.videoHeight;
      paper.drawImage(video, 0, 0);
      const picture = paper.getImageData(0, 0, canvas.width, canvas.height);
      const found = jsQR(picture.data, picture.width, picture.height, { inversionAttempts: "dontInvert" });
      // Who still holds up a code that was read is not read again.
      if (found?.data && found.data !== sessionStorage.getItem("last-code")) {
        video.srcObject.getTracks().forEach((track) => track.stop());
        form.elements.code.value = found.data;
        sessionStorage.setItem("camera", "on");
        sessionStorage.setItem("last-code", found.data);
        form.requestSubmit();
        return;
      }
    }
    setTimeout(look, 150);
  };

  const start = async () => {
    try {
      video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
      video.hidden = false;
      await video.play();
      look();
    } catch {
      told.textContent = told.dataset.noCamera;
    }
  };
  box.querySelector("[data-camera-start]").addEventListener("click", () => {
    sessionStorage.removeItem("last-code");
    start();
  });
  // The next in the queue: after a code was read the page comes back, and the camera goes on.
  if (sessionStorage.getItem("camera") === "on") {
    sessionStorage.removeItem("camera");
    start();
  }
}
