"""Attributes that TMF632 Party alone has (see engine.attributes)."""

TABLE = """
ContactMedium: mediumType preferred:flag characteristic:MediumCharacteristic validFor:TimePeriod
Disability: disabilityCode disabilityName validFor:TimePeriod
ExternalReference: externalReferenceType name
Individual: id! href aristocraticTitle birthDate:time countryOfBirth deathDate:time familyName
  familyNamePrefix formattedName fullName gender generation givenName legalName location
  maritalStatus middleName nationality placeOfBirth preferredGivenName title
  contactMedium:ContactMedium* creditRating:PartyCreditProfile* disability:Disability*
  externalReference:ExternalReference* individualIdentification:IndividualIdentification*
  languageAbility:LanguageAbility* otherName:OtherNameIndividual*
  partyCharacteristic:Characteristic* relatedParty:RelatedParty* skill:Skill*
  status:IndividualStateType taxExemptionCertificate:TaxExemptionCertificate*
IndividualIdentification: identificationId identificationType issuingAuthority issuingDate:time
  attachment:AttachmentRefOrValue validFor:TimePeriod
IndividualStateType = initialized | validated | deceaded
LanguageAbility: isFavouriteLanguage:flag languageCode languageName listeningProficiency
  readingProficiency speakingProficiency writingProficiency validFor:TimePeriod
Organization: id! href isHeadOffice:flag isLegalEntity:flag name nameType organizationType
  tradingName contactMedium:ContactMedium* creditRating:PartyCreditProfile*
  existsDuring:TimePeriod externalReference:ExternalReference*
  organizationChildRelationship:OrganizationChildRelationship*
  organizationIdentification:OrganizationIdentification*
  organizationParentRelationship:OrganizationParentRelationship otherName:OtherNameOrganization*
  partyCharacteristic:Characteristic* relatedParty:RelatedParty* status:OrganizationStateType
  taxExemptionCertificate:TaxExemptionCertificate*
OrganizationChildRelationship: relationshipType organization:OrganizationRef
OrganizationIdentification: identificationId identificationType issuingAuthority issuingDate:time
  attachment:AttachmentRefOrValue validFor:TimePeriod
OrganizationParentRelationship: relationshipType organization:OrganizationRef
OrganizationRef: id! href name @referredType
OrganizationStateType = initialized | validated | closed
OtherNameIndividual: aristocraticTitle familyName familyNamePrefix formattedName fullName
  generation givenName legalName middleName preferredGivenName title validFor:TimePeriod
OtherNameOrganization: name nameType tradingName validFor:TimePeriod
PartyCreditProfile: creditAgencyName creditAgencyType ratingReference ratingScore:whole
  validFor:TimePeriod
RelatedParty: id! href name role @referredType!
Skill: comment evaluatedLevel skillCode skillName validFor:TimePeriod
TaxDefinition: id name taxType @referredType
TaxExemptionCertificate: id attachment:AttachmentRefOrValue taxDefinition:TaxDefinition*
  validFor:TimePeriod
"""
