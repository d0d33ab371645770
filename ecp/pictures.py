"""Pictures of mails, under the names that the portal uses; they are kept by crm/engine/public_pictures.py."""

from crm.engine.public_pictures import MEDIA_TYPES, Picture, PublicPicture, ending_of, find, publish

__all__ = ["MEDIA_TYPES", "Picture", "PublicPicture", "ending_of", "find", "publish"]
