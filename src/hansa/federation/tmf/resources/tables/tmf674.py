"""Attributes that TMF674 Geographic Site alone has (see engine.attributes)."""

TABLE = """
CalendarPeriod: day status timeZone hourPeriod:HourPeriod*
GeographicSite: id href code description name status calendar:CalendarPeriod*
  place:PlaceRefOrValue* relatedParty:RelatedParty* siteRelationship:GeographicSiteRelationship*
GeographicSiteRelationship: id! href relationshipType! role validFor:TimePeriod
HourPeriod: endHour startHour
PlaceRefOrValue: id href name @referredType
RelatedParty: id! href name role @referredType!
"""
